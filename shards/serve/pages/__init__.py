"""What each page shows: one module a page, from what was asked to what its template needs."""
