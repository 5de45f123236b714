"""Networks: backbones, training, embedding, Grad-CAM."""
