"""When two texts, states or actions are alike: words, features, analogies, embeddings, the vector index."""
