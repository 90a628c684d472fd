"""The statements that a site sends to its database: logged inside its process, counted outside."""
