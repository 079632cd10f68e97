"""Pictures to learn from: rendered faces with exact labels, real photographs, public data sets in their own layouts."""
