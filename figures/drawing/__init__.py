"""How things are drawn: style, marks, scenes, and what turns a scene into a picture."""
