"""The docs, and what makes the generated parts of them."""
