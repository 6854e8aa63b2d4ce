"""emocal-rl: reinforcement learning for vision-language models that know how sure they are.

The rooms (`emocal_rl.platform`, `emocal_rl.actors`, ...) are the folders at the repository root, linked from here;
ARCHITECTURE.md says what each of them owns.
"""

__version__ = "0.1.0"
