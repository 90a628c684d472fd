"""Which statements a site sends to its database, and when: written down inside its process, counted outside."""
