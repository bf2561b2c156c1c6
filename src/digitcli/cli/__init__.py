"""The command line: one Typer command a module.

`app` collects the commands; each turns its options into one typed call and the result into words or JSON.
`options` and `console` are shared; `progress` and `tables` show training and results.
"""
