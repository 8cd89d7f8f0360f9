"""Modules that several sections use."""
