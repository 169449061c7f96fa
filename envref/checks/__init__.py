"""What is wrong or left lying about: plain-text secrets, leaked values, broken rules, the project's status, doctor."""
