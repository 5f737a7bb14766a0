"""Facts into numbers, tables and folders. A saved run can be re-read without the model."""
