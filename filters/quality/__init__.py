"""Rules on the text alone, each after a published corpus: of lines, of paragraphs, of documents.

Those that judge take `TextFacts`, which are found once for a document and shared by all rules.
`openm3w.filters` imports the modules, which registers the rules: this package must stay importable
from the registry.
"""
