"""What people use instead of Lichen, one method a file, each after the description in its paper."""
