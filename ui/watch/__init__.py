"""The list of training runs and the details of one."""
