"""What each way of computing a recurrent network costs: measured after it was judged, with the machine's own limits."""

from torch_impl.early import early

early(__name__)
