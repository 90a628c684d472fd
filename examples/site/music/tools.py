from conversations.tools import Context, tool


@tool(label="Album of the week")
def album(artist: str, context: Context) -> dict:
    """Find an artist's album of the week."""
    context.progress(1, 2, "Looking through the shelves")
    return {"artist": artist, "album": "Elemental Hotel", "for": str(context.user)}
