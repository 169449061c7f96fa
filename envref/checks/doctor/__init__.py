"""What `envref doctor` looks for; each check gives a cure for what it finds."""
