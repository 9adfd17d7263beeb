//! Opens the same models, index and prompts as the server, for figures about the product.
