"""Eyes on paper: text that someone pasted or recorded, read into facts.  Pure: no file is opened here."""
