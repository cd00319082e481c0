"""E-mails at the end of calculations, to those who ask for them."""
