"""One request over HTTP: which addresses may be asked, how, and what came back."""
