"""What is told to OpenTelemetry."""
