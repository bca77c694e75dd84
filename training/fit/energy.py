"""What a run costs the climate, estimated as the thesis did (its chapter 9): power times time times the grid's mix."""

from dataclasses import asdict, dataclass
from typing import Any

#: Power of one busy processor core with its share of memory and supply, watts: a server of 64 cores that draws about
#: 500 W under load. A laptop's core draws less, an old desktop's more.
WATTS_PER_CORE = 8.0
#: Power of a training GPU under load, watts: the rated power of common server cards is 250 to 700 W.
WATTS_PER_GPU = 350.0
#: Carbon dioxide of a kilowatt-hour, grams: about the mix of the European Union; Sweden has 20, Poland 650.
GRAMS_PER_KWH = 250.0


@dataclass(frozen=True)
class EnergyEstimate:
    """An estimate, not a measurement: every factor is here to be disagreed with."""

    seconds: float
    cores: int
    gpus: int
    watts_per_core: float = WATTS_PER_CORE
    watts_per_gpu: float = WATTS_PER_GPU
    grams_per_kwh: float = GRAMS_PER_KWH

    @property
    def kwh(self) -> float:
        """Energy, kilowatt-hours."""
        watts = self.cores * self.watts_per_core + self.gpus * self.watts_per_gpu
        return watts * self.seconds / 3.6e6

    @property
    def co2_g(self) -> float:
        """Carbon dioxide, grams."""
        return self.kwh * self.grams_per_kwh

    def as_dict(self) -> dict[str, Any]:
        """Results and assumptions, for the run's summary."""
        return {"kwh": self.kwh, "co2_g": self.co2_g, "assumed": asdict(self)}

    def __str__(self) -> str:
        on = f"{self.gpus} GPU at {self.watts_per_gpu:g} W and " if self.gpus else ""
        return (
            f"about {self.kwh:.3g} kWh and {self.co2_g:.3g} g CO2 (assumed: {on}{self.cores} cores at "
            f"{self.watts_per_core:g} W, {self.grams_per_kwh:g} g CO2 per kWh; {self.seconds / 3600:.2f} h)"
        )
