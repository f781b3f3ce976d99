"""Follows the Buffer's shape along the code and reports DNN instructions that are certain to halt."""
