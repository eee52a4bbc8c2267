"""One module for each loader, read by `check.py` in the loader's own environment.

Public functions are the example of the page `docs/interop.md`, word for word; `readings`, which
the check calls, and what begins with an underscore are not shown. A module names

- `HONOURS_EXCLUDE`: whether samples on the manifest's exclude list are left out;
- `readings(folder, kind)`: every way to read the folder, see `rows.Reading`.
"""
