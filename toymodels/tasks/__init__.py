"""What a model is asked, one file for each task."""

from toymodels.tasks.base import Task, UniformTask, draw_batch, interpret, mean_error
from toymodels.tasks.reconstruction import Reconstruction

draw_noise = draw_batch  # old name, kept for one version

__all__ = ["Reconstruction", "Task", "UniformTask", "draw_batch", "interpret", "mean_error"]
