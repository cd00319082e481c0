"""Why the SMTP server takes no e-mail, in words. Replies of the server are left out: they may repeat what was sent."""

from __future__ import annotations

import smtplib
import ssl

CERTIFICATES = (
    "A certificate of a private authority is accepted when `certificates_file` in section `mail` names that authority's "
    "certificate; a name that differs has to be mended in `server` or in the certificate."
)


def problem_words(error: Exception) -> str:
    """What is wrong and what to do, in sentences without a password. error: OSError or SMTPException of `MailServer`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is refused: {error.verify_message.rstrip('.')}. {CERTIFICATES}"
    if isinstance(error, ssl.SSLError):
        return "It does not speak TLS at this port. Check `port` and `security` in section `mail`."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        # Python's own text: the extension of SMTP that the server does not offer.
        return f"{error} Check `port`, `security` and `user` in section `mail`."
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"It refuses the name or the password (code {error.smtp_code}). Check `user` and `password_file` in section `mail`."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"It does not take an e-mail to this address now (code {', '.join(map(str, codes))})."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"It refuses with code {error.smtp_code}."
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "It closed the connection or gave no answer in time. Check `port` and `security` in section `mail`."
    if isinstance(error, smtplib.SMTPException):
        # These exceptions of Python are OSErrors too, but the server does answer.
        return f"The conversation with it failed ({type(error).__name__}). Check `user` and `security` in section `mail`."
    if isinstance(error, OSError) and error.filename:
        return f"A file that section `mail` names cannot be used: {error.filename}: {error.strerror}."
    if isinstance(error, OSError):
        return f"It cannot be reached: {error.strerror or 'no answer in time'}."
    return f"The conversation with it failed ({type(error).__name__})."
