"""What the declarations say, in other forms: path help and OpenAPI. Nothing about a path is written here; all of it is derived."""
