"""What `envref doctor` looks for, each check with a cure for what it finds."""
