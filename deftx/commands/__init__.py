"""The commands of the command line, by what a person wants: look at things, train, use, exchange."""
