"""Offline: data to signed model folders. Imports services.inference, never imported by it."""
