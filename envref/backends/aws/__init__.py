"""The two stores of AWS: Systems Manager Parameter Store and Secrets Manager."""
