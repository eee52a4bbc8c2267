"""Caption shards: tables of image references and captions, and shards that img2dataset wrote."""
