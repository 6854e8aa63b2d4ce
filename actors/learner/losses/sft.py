import torch


def token_cross_entropy(logprobs: torch.Tensor, carries_loss: torch.Tensor, num_tokens: int) -> torch.Tensor:
    """Cross-entropy on the tokens that carry loss (paper equation 1; equation 3 when only the confidence does).

    Args:
        logprobs: (N,) log-probs of the demonstrated response tokens.
        carries_loss: (N,) bool.
        num_tokens: tokens that carry loss in the whole mini-batch, over all ranks and micro-batches.

    Returns:
        This micro-batch's share of the mean: shares add up to the mini-batch's loss.
    """
    return -logprobs[carries_loss].sum() / num_tokens
