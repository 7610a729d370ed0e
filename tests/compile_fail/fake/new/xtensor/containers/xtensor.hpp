// The place of this header since xtensor 0.26.
