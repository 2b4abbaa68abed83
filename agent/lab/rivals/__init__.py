"""What people use instead of this memory, each as an arm over the same options."""
