"""The language of templates: the part of consul-template's that only says where values go and how they are written.

A template is parsed and checked as a whole before anything is read. Nothing in it can run a program, read a file or a variable
of the environment, learn the time, or write anywhere; a template that asks for that is refused by name. What it may cost is
limited: its size, how deep it is nested, how many steps it takes and how much it gives out.
"""
