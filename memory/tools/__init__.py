"""Tool memory: what calls came to, candidate calls, contracts that changed."""
