"""The commands of ``samenloop``, one module each."""
