"""Tests of cleanupctl: against real databases, real shells and the real engine's tables."""
