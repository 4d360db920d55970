-- Format 11: lists in the order of how well labels fit. Few features are judged, and only those are in this index.

CREATE INDEX feature_score ON feature
  (atlas_id, marks >> 3, feature_index, density, max_activation, mean_activation, marks) WHERE marks >= 8;
