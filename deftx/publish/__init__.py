"""What leaves a machine and what comes to it: exports, pushes to the Hub, vectors that people bring.

It imports analysis and what that may import.
"""
