"""For authors and for our own tests: conformance kits, builders, generated events."""
