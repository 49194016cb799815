"""Where a verdict is shown: comments on GitHub and GitLab, the step's summary, annotations, job outputs."""
