"""Training of the ICU mortality model: data, boosting, calibration, figures, card."""
