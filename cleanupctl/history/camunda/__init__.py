"""Histories of kind `camunda`: Camunda 7, Operaton, CIB seven and Fluxnova, which share one schema."""
