"""Messages to people about what was flagged: mail, chat, web hooks and all else that apprise knows."""

from aedetect.tasks.notify.request import NotifyRequest

__all__ = ["NotifyRequest"]
