"""Results to look at: a web page, a message, pictures, and the model's card."""
