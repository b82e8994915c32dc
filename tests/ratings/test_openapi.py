"""schemathesis finds no fault with the API: every answer is as its OpenAPI document says."""
