"""What a campaign file may say under `training:` and `final:`. Imports no TensorFlow."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from alnn.strict_yaml import Count, Positive, Section
from alnn.training.method_settings import OF_METHOD, AdamSettings, KalmanSettings, Method

Neurons = Annotated[int, Field(ge=1, le=10_000)]
Layers = Annotated[tuple[Neurons, ...], Field(max_length=20)]
Repelling = Annotated[
    Literal["auto", "zbl", "none"],
    Field(
        description="what keeps nuclei apart at distances that the data do not have, beside the networks: `zbl` for "
        "all species, `none`, or `auto`: `zbl` for elements, not for beads (whose mass is another, or whose preset of "
        "functions is made for beads)"
    ),
]
Activation = Literal[
    "linear",
    "tanh",
    "sigmoid",
    "relu",
    "gelu",
    "mtanh",
    "twist",
    "softplus",
    "gaussian",
    "cos",
    "exp",
    "square",
]

HANDED_ON = ("gelu", "relu", "softplus")
"""Activations with a(z) - a(-z) = z, so that two neurons hand a number on as it is."""


class TrainingSettings(Section):
    """How a network is fitted to a pool.

    `paper` is the published protocol: mini-batch Levenberg-Marquardt under cross-validation, the network with
    the best validation error kept. `fast` fits a committee by `method`, each member by itself.
    """

    protocol: Literal["paper", "fast"] = "fast"
    hidden: Layers | dict[str, Layers] = Field(
        (10, 10),
        description="neurons in each hidden layer (papers: 10, 10); for networks of different sizes "
        "`{O: [20, 20], H: [10, 10]}`",
    )
    activation: Activation = Field("twist", description="hidden activation (cluster paper: twist)")
    members: int = Field(4, ge=1, le=64, description="networks in the committee; `paper` always yields one")
    start: Literal["random", "linear"] = Field(
        "random",
        description="`fast`: what fresh weights are: random, or a network that is the linear fit to begin with "
        "(activations gelu, relu and softplus), from where a training needs half the steps and less",
    )
    learnrate: float = Field(0.1, gt=0, description="initial damping of Levenberg-Marquardt (papers: 0.1)")
    damping_factor: float = Field(10.0, gt=1, description="the damping is divided and multiplied by this")
    damping_rise: Annotated[float, Field(gt=1)] | None = Field(
        None,
        description="`fast`: the damping is multiplied by this after a failure; null by damping_factor, too. 2, with a "
        "damping_factor of 5, comes further in as many steps where a fit is long",
    )
    smallest_damping: float = Field(
        0.1,
        ge=0,
        description="`paper`: the damping does not fall below; without, every batch is soon met exactly, "
        "one after the other, and the error over all batches stays where it is",
    )
    epochs: int = Field(2000, ge=1, description="`paper`: passes through the pool at most (papers: 2000)")
    patience: int = Field(
        8, ge=1, description="passes without a better validation error (or loss) before a network rests"
    )
    steps: int = Field(
        30,
        ge=1,
        description="`fast`: steps from fresh weights, at most; of `adam` and `kalman` passes through the pool. 300 "
        "for `l-bfgs` and `adam` where nothing is told",
    )
    warm_steps: int = Field(
        15,
        ge=1,
        description="`fast`: the same where some members start warm; 150 for `l-bfgs` and `adam` where nothing is told",
    )
    batch: int = Field(
        32,
        ge=1,
        description="structures at a time: `paper`: in a Jacobian, 1 while the pool is smaller; `adam`, `kalman`: in "
        "an update, 8 and 4 where nothing is told",
    )
    folds: int = Field(10, ge=2, description="folds of the cross-validation (papers: 10)")
    size_exponent: float = Field(
        1.0, ge=0, le=1, description="residual (E_NN - E_ref)/N^p, normalised at the mean size (papers: 1)"
    )
    energy_window: float = Field(
        0.5,
        gt=0,
        description="eV/atom; what lies higher than this above the pool's lowest energy counts less, by the square "
        "of window/height: a network's hole that the sampler fell into must not rule the fit",
    )
    size_shifts: bool = Field(
        False,
        description="`fast`: in the training the energies of each composition have a shift of their own, as shells of "
        "electrons give metal clusters of different sizes and no sum over atoms can give",
    )
    decorrelation: float = Field(
        0.35,
        ge=0,
        le=0.5,
        description="power of the covariance that is taken out of the descriptors inside the training; "
        "0 none, 0.5 all. It is folded into the first layer, the potential file does not know of it",
    )
    weight_decay: float = Field(
        1e-3, ge=0, description="`fast`: weight of |w|^2 against the squared standardised residuals"
    )
    validation: Literal["none", "fold"] = Field(
        "none", description="`fast`: hold out another fold for each member"
    )
    forces: Literal["none", "auto", "rows", "directions", "taylor"] = Field(
        "none",
        description="what the forces add (papers: none): `rows` exact equations for force components drawn at "
        "random, `directions` for random mixtures of all, `taylor` displaced copies with the energy E - F . d, `auto` "
        "rows of the structures that have forces",
    )
    force_rows: Annotated[int, Field(ge=1)] | None = Field(
        30,
        description="rows, directions or Taylor copies of each structure in a training; null all force components",
    )
    force_weight: float = Field(
        0.03,
        gt=0,
        description="Å; weight of an error of a force row (eV/Å) against one of an energy per atom (eV)",
    )
    virial_weight: float = Field(
        0.0,
        ge=0,
        description="weight of an error of dE/dln V per atom (eV) against one of an energy per atom (eV): with `rows` "
        "and `directions` a row more for each structure that has a stress, as periodic ones do; 0 leaves it out",
    )
    taylor_length: float = Field(0.02, gt=0, description="Å; displacement of an atom in a Taylor copy")
    method: Method = Field(
        "levenberg-marquardt",
        description="`fast`: `l-bfgs` needs no matrix of the weights: some hundred cheap steps where the other takes "
        "tens, with forces a third of the time at a thousand weights and a tenth at four thousand. `adam` goes by "
        "gradients of a few structures, in hundreds of passes; `kalman`, an extended Kalman filter, learns from a few "
        "at a time in tens of passes, each of which takes the square of all weights in time for each structure",
    )
    adam: AdamSettings = AdamSettings()
    kalman: KalmanSettings = KalmanSettings()
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="`adam`: share of the hidden neurons that are silent in a step, drawn anew for each; the potential "
        "file holds the whole networks. For `selection.method: dropout`",
    )
    rows_per_weight: float = Field(
        6.0,
        gt=0,
        description="`fast`: force rows for each weight of a network that shape a step, drawn anew for each; all rows "
        "enter its gradient",
    )
    memory: float = Field(
        1.1,
        gt=0,
        description="GB; `fast`: where the descriptors and their derivatives would take more, `alnn train` takes the "
        "structures in windows that fit, one after the other",
    )
    warm_start: bool = Field(True, description="begin from the last network where it fits")
    tolerance: float = Field(
        1e-3, ge=0, description="`fast`: relative fall of the criterion that counts as progress"
    )
    fresh_members: int = Field(
        1, ge=0, description="`fast`: so many members, drawn anew each time, begin from fresh weights"
    )

    @property
    def with_forces(self) -> bool:
        """Whether forces are learned, in whatever way."""
        return self.forces != "none"

    @property
    def has_rows(self) -> bool:
        """Whether forces are equations of their own, beside the energies."""
        return self.forces in ("auto", "rows", "directions")

    @model_validator(mode="before")
    @classmethod
    def _of_the_method(cls, values: Any) -> Any:
        method = values.get("method") if isinstance(values, dict) else None
        return {**OF_METHOD.get(method, {}), **values} if isinstance(method, str) else values

    @model_validator(mode="after")
    def _method_fits_the_rest(self) -> "TrainingSettings":
        if self.protocol == "paper" and self.method != "levenberg-marquardt":
            raise ValueError(f"method: {self.method} needs protocol fast, found protocol paper")
        if self.size_shifts and not self.may_shift_sizes:
            raise ValueError(
                "size_shifts: expected protocol fast and method levenberg-marquardt or l-bfgs beside it, found "
                f"{self.protocol} and {self.method}"
            )
        if self.dropout > 0 and self.method != "adam":
            raise ValueError(f"dropout: expected method adam beside it, found method {self.method}")
        for name, default in (("adam", AdamSettings()), ("kalman", KalmanSettings())):
            if getattr(self, name) != default and self.method != name:
                raise ValueError(f"{name}: expected method {name} beside it, found method {self.method}")
        return self

    @property
    def may_shift_sizes(self) -> bool:
        """Whether each size can have an energy shift of its own."""
        return self.protocol == "fast" and self.method in ("levenberg-marquardt", "l-bfgs")

    @property
    def may_start_linear(self) -> bool:
        """Whether the networks can be the linear fit to begin with."""
        every = self.hidden.values() if isinstance(self.hidden, dict) else [self.hidden]
        wide = min((n for layers in every for n in layers), default=2) >= 2
        whole = self.dropout == 0  # a silent neuron of a pair would leave the other alone
        return self.protocol == "fast" and wide and whole and self.activation in HANDED_ON

    @model_validator(mode="after")
    def _start_fits_the_rest(self) -> "TrainingSettings":
        if self.start == "linear" and not self.may_start_linear:
            raise ValueError(
                f"start: linear needs protocol fast, an activation of {', '.join(HANDED_ON)}, two neurons or more "
                f"in each layer and no dropout, found {self.protocol}, {self.activation}, {self.hidden}, "
                f"dropout {self.dropout:g}"
            )
        return self

    @model_validator(mode="after")
    def _rows_fit_the_rest(self) -> "TrainingSettings":
        if self.protocol == "paper" and self.has_rows:
            raise ValueError(f"forces: {self.forces} needs protocol fast, found protocol paper")
        if self.forces == "taylor" and self.force_rows is None:
            raise ValueError("force_rows: expected a number of copies for forces taylor, found null")
        if self.virial_weight > 0 and not self.has_rows:
            raise ValueError(
                f"virial_weight: expected forces auto, rows or directions, found forces {self.forces}"
            )
        return self


class Final(Section):
    """What is different in the last training, after a stop rule holds; null is as in `training`.

    The trainings before it only have to show where the networks are wrong. May be changed between two runs.
    """

    members: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="networks in the committee")
    steps: Count | None = Field(None, description="`fast`: steps at most")
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="`fast`: weight of |w|^2"
    )
    force_rows: Count | None = Field(None, description="rows, directions or Taylor copies of each structure")
    force_weight: Positive | None = Field(None, description="Å; weight of force rows")
    virial_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="weight of virials"
    )
    energy_window: Positive | None = Field(
        None, description="eV/atom; structures that lie higher count less in the last training"
    )
    patience: Count | None = Field(None, description="passes without a better validation error")
    smallest_damping: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="`paper`: the damping does not fall below"
    )
    warm_start: bool | None = Field(None, description="begin from the last network where it fits")
