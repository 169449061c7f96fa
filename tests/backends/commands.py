"""envref's own commands on a project whose secrets are in a store, each as a process of its own."""


class StoreCommands:
    """What tests of a store's commands share."""

    def run(self, project, *arguments, status=0, **options):
        """The command once it has ended with `status`."""
        done = project.envref(*arguments, **options)
        assert done.returncode == status, done.stderr
        return done
